/** The Bicep files as syntax trees, and the few questions that the tests ask of them. */
import { readdirSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Language, type Node, Parser } from 'web-tree-sitter';

export const infra = join(import.meta.dirname, '../../infra');

const require = createRequire(import.meta.url);
await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load(require.resolve('tree-sitter-bicep/tree-sitter-bicep.wasm')));

export interface BicepFile {
  readonly name: string;
  readonly text: string;
  readonly root: Node;
}

export const bicepFiles: readonly BicepFile[] = readdirSync(infra)
  .filter((name) => name.endsWith('.bicep'))
  .map((name) => parse(name, readFileSync(join(infra, name), 'utf8')));

export function parse(name: string, text: string): BicepFile {
  const tree = parser.parse(text);
  if (tree === null) throw new Error(`${name}: not parsed`);
  return { name, text, root: tree.rootNode };
}

export function bicepFile(name: string): BicepFile {
  const file = bicepFiles.find((candidate) => candidate.name === name);
  if (file === undefined) throw new Error(`no ${name} in infra/`);
  return file;
}

/** Declarations of one kind: `parameter`, `variable`, `resource`, `module`, `output`, `type`. */
export function declarations({ root }: BicepFile, kind: string): Declaration[] {
  return root.namedChildren.flatMap((node) =>
    node.type === `${kind}_declaration` ? [new Declaration(node)] : [],
  );
}

export class Declaration {
  readonly node: Node;

  constructor(node: Node) {
    this.node = node;
  }

  get name(): string {
    return this.node.namedChildren.find(({ type }) => type === 'identifier')?.text ?? '';
  }

  /** The type of a resource with its version, the path of a module. */
  get refersTo(): string {
    return unquoted(this.node.namedChildren.find(({ type }) => type === 'string'));
  }

  /** A parameter without default, which every module call must give. */
  get isRequired(): boolean {
    return !this.node.children.some(({ type }) => type === '=') && !this.node.text.trimEnd().endsWith('?');
  }

  get isExisting(): boolean {
    return this.node.children.some(({ type }) => type === 'existing');
  }

  get isDescribed(): boolean {
    const before = this.node.previousNamedSibling;
    return before?.type === 'decorators' && before.text.includes('@description(');
  }

  get isExported(): boolean {
    const before = this.node.previousNamedSibling;
    return before?.type === 'decorators' && before.text.includes('@export(');
  }

  /** The body, also of a conditional declaration or one in a loop. */
  get body(): Node | undefined {
    return firstOf(this.node, 'object');
  }

  /** Follows property names: `at('properties', 'siteConfig')`. */
  at(...path: string[]): Node | undefined {
    return path.reduce((node: Node | undefined, key) => node && properties(node).get(key), this.body);
  }
}

/** The members of an object literal, by name. */
export function properties(object: Node): Map<string, Node> {
  return new Map(
    object.namedChildren
      .filter(({ type }) => type === 'object_property')
      .flatMap(({ namedChildren: [key, value] }) => (key && value ? [[unquoted(key), value]] : [])),
  );
}

export function unquoted(node: Node | undefined): string {
  return (node?.text ?? '').replace(/^'|'$/g, '');
}

/** Every node of a type, in a tree. */
export function all(node: Node, type: string): Node[] {
  return node.descendantsOfType(type).filter((found) => found !== null);
}

function firstOf(node: Node, type: string): Node | undefined {
  for (const child of node.namedChildren) {
    if (child.type === type) return child;
    if (child.type.endsWith('_statement')) {
      const inner = firstOf(child, type);
      if (inner) return inner;
    }
  }
  return undefined;
}
