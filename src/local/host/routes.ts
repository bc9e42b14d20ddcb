/**
 * ASP.NET route templates, as far as Functions uses them. The host tries routes in the alphabetical order of
 * function names; a literal is not preferred over a parameter, and the method is one more constraint, so a
 * wrong method is 404. Everything is compiled once.
 */
import type { HostedFunction } from './invoke.ts';

export interface Match {
  readonly fn: HostedFunction;
  readonly params: Readonly<Record<string, string>>;
}
export interface Routes {
  /** `path` decoded, with its leading slash. */
  find(method: string, path: string): Match | undefined;
  /** Functions that cannot be reached, with the reason. */
  readonly errors: readonly { readonly name: string; readonly error: string }[];
}

interface Literal {
  readonly order: number;
  readonly match: Match;
}
interface Pattern {
  readonly order: number;
  readonly fn: HostedFunction;
  readonly test: RegExp;
  readonly defaults: Readonly<Record<string, string>>;
}
interface Methods {
  readonly literals: Map<string, Literal>;
  readonly patterns: Pattern[];
}

/** `functions` in alphabetical order. */
export function compileRoutes(functions: readonly HostedFunction[], prefix: string): Routes {
  const byMethod = new Map<string, Methods>();
  const errors: { name: string; error: string }[] = [];
  const taken = new Map<string, string>();

  for (const [order, fn] of functions.entries()) {
    if (fn.type.toLowerCase() !== 'httptrigger') continue;
    const route = String(fn.trigger['route'] ?? fn.name);
    const template = [prefix, route].join('/').split('/').filter(Boolean).join('/');
    const methods = methodsOf(fn);
    const error = reserved(fn, route) ?? conflict(template.toLowerCase(), methods, taken, fn.name);
    if (error) {
      errors.push({ name: fn.name, error });
      continue;
    }
    try {
      add(byMethod, methods, order, fn, template);
    } catch (cause) {
      errors.push({ name: fn.name, error: cause instanceof Error ? cause.message : String(cause) });
    }
  }

  return {
    errors,
    find(method, path) {
      const routes = byMethod.get(method);
      if (!routes) return undefined;
      const wanted = path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
      const literal = routes.literals.get(wanted.toLowerCase());
      for (const pattern of routes.patterns) {
        if (literal && literal.order < pattern.order) break;
        const found = pattern.test.exec(wanted);
        if (found) return { fn: pattern.fn, params: paramsOf(found, pattern.defaults) };
      }
      return literal?.match;
    },
  };
}

function methodsOf(fn: HostedFunction): string[] {
  const methods = fn.trigger['methods'];
  const listed = Array.isArray(methods) && methods.length > 0 ? methods : ['GET', 'POST'];
  return listed.map((method) => String(method).toUpperCase());
}

/** `/admin` and `/runtime` belong to the host. */
function reserved(fn: HostedFunction, route: string): string | undefined {
  const clash = [route, fn.name].find((text) => /^\/?(admin|runtime)/i.test(text));
  return clash === undefined ? undefined : `'${clash}' conflicts with a built-in route`;
}

function conflict(
  template: string,
  methods: readonly string[],
  taken: Map<string, string>,
  name: string,
): string | undefined {
  const keys = methods.map((method) => `${method} ${template}`);
  const owner = keys.map((key) => taken.get(key)).find((each) => each !== undefined);
  if (owner !== undefined) return `the route conflicts with the one of function '${owner}'`;
  for (const key of keys) taken.set(key, name);
  return undefined;
}

function add(
  byMethod: Map<string, Methods>,
  methods: readonly string[],
  order: number,
  fn: HostedFunction,
  template: string,
): void {
  const compiled = template.includes('{') ? compileTemplate(template) : undefined;
  for (const method of methods) {
    const routes: Methods = byMethod.get(method) ?? { literals: new Map(), patterns: [] };
    byMethod.set(method, routes);
    if (compiled) routes.patterns.push({ order, fn, ...compiled });
    else routes.literals.set(`/${template.toLowerCase()}`, { order, match: { fn, params: {} } });
  }
}

function paramsOf(found: RegExpExecArray, defaults: Readonly<Record<string, string>>) {
  const params: Record<string, string> = { ...defaults };
  for (const [name, value] of Object.entries(found.groups ?? {})) {
    if (value !== undefined && value !== '') params[name] = value;
  }
  return params;
}

/** @throws Error for a template or constraint that is not understood. */
function compileTemplate(template: string): Pick<Pattern, 'test' | 'defaults'> {
  const defaults: Record<string, string> = {};
  let source = '';
  for (const segment of segmentsOf(template)) {
    const parts = [...segment.matchAll(/\{(?:[^{}]|\{\{[^{}]*\}\})*\}|[^{}]+/g)].map(([part]) => part);
    if (parts.join('') !== segment)
      throw new Error(`the route template '${template}' has an unmatched brace`);
    let optional = parts.length === 1;
    const inner = parts.map((part) => {
      if (!part.startsWith('{')) {
        optional = false;
        return quote(part);
      }
      const parameter = parseParameter(part.slice(1, -1));
      if (parameter.default !== undefined) defaults[parameter.name] = parameter.default;
      optional &&= parameter.mayMiss;
      return `(?<${parameter.name}>${parameter.pattern})`;
    });
    source += optional ? `(?:/${inner.join('')})?` : `/${inner.join('')}`;
  }
  return { test: new RegExp(`^${source}/?$`, 'i'), defaults };
}

/** Slashes inside braces (a regex constraint) do not part segments. */
function segmentsOf(template: string): string[] {
  return template.match(/(?:\{(?:[^{}]|\{\{[^{}]*\}\})*\}|[^/])+/g) ?? [];
}

function parseParameter(text: string) {
  const parsed =
    /^(?<stars>\*{0,2})(?<name>\w+)(?<constraints>(?::[a-z]+(?:\(.*?\))?)*)(?<end>\?|=.*)?$/i.exec(
      text,
    )?.groups;
  if (!parsed?.['name']) throw new Error(`the route parameter '{${text}}' is not understood`);
  const end = parsed['end'] ?? '';
  const constraints = (parsed['constraints'] ?? '').match(/:[a-z]+(?:\(.*?\)(?=:|$))?/gi) ?? [];
  const checks = constraints.map((constraint) => constraintPattern(constraint.slice(1)));
  const catchAll = parsed['stars'] !== '';
  return {
    name: parsed['name'],
    pattern: `${checks.join('')}${catchAll ? '.*' : '[^/]+?'}`,
    mayMiss: end !== '' || catchAll,
    default: end.startsWith('=') ? end.slice(1) : undefined,
  };
}

function constraintPattern(constraint: string): string {
  const [, name = '', argument = ''] = /^([a-z]+)(?:\((.*)\))?$/i.exec(constraint) ?? [];
  const whole = (pattern: string) => `(?=(?:${pattern})(?:/|$))`;
  switch (name.toLowerCase()) {
    case 'alpha':
      return whole('[a-z]+');
    case 'int':
      return whole('[+-]?\\d{1,10}');
    case 'guid':
      return whole('[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}');
    case 'length':
      return whole(`[^/]{${argument.replaceAll(' ', '')}}`);
    case 'regex':
      return whole(
        argument
          .replaceAll('{{', '{')
          .replaceAll('}}', '}')
          .replace(/^\^|\$$/g, ''),
      );
    default:
      throw new Error(`the route constraint '${constraint}' is not understood`);
  }
}

function quote(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
