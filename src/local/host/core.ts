/**
 * The module `@azure/functions-core`, which the real Node worker injects and no registry holds. The library
 * asks for it at the first registration and remembers the answer for the life of the process, so there is one
 * per process, and what is registered goes to the app that is being loaded.
 */
import { registerHooks } from 'node:module';
import { libraryFromSource } from './library.ts';

/** A binding as the library describes it; the trigger is the one whose type ends in `Trigger`. */
export interface Binding {
  readonly type: string;
  readonly name?: string;
  readonly direction?: string;
  readonly [option: string]: unknown;
}
export interface FunctionMetadata {
  readonly name: string;
  readonly functionId?: string;
  readonly bindings: Readonly<Record<string, Binding>>;
}
export type Handler = (...inputs: unknown[]) => unknown;
/** A value on its way between host and worker: exactly one member is set. */
export interface TypedData {
  readonly http?: object;
  readonly json?: string;
  readonly string?: string;
}
export interface InvocationRequest {
  readonly invocationId: string;
  readonly functionId: string;
  readonly inputData: readonly { readonly name: string; readonly data: TypedData }[];
  readonly triggerMetadata: Readonly<Record<string, TypedData>> | undefined;
  readonly traceContext: { traceParent: string; traceState: string; attributes: Record<string, string> };
}
export interface CoreContext {
  readonly invocationId: string;
  readonly request: InvocationRequest;
  readonly metadata: FunctionMetadata;
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  log(level: string, category: string, message: string): void;
}
/** What the library supplies for one invocation. */
export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], handler: Handler): Promise<unknown>;
  getResponse(
    context: unknown,
    result: unknown,
  ): Promise<{ returnValue?: { http?: RpcHttpResponse } | null }>;
}
export interface RpcHttpResponse {
  readonly statusCode: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly cookies: readonly RpcCookie[];
  readonly body?: { readonly bytes?: Uint8Array } | null;
}
export interface RpcCookie {
  readonly name: string;
  readonly value: string;
  readonly domain?: { readonly value?: string };
  readonly path?: { readonly value?: string };
  readonly expires?: { readonly value?: { readonly seconds: number } };
  readonly maxAge?: { readonly value?: number };
  readonly secure?: { readonly value?: boolean };
  readonly httpOnly?: { readonly value?: boolean };
  readonly sameSite: 'none' | 'lax' | 'strict' | 'explicitNone';
}
export interface ProgrammingModel {
  getCapabilities(capabilities: Record<string, string>): unknown;
  getInvocationModel(context: CoreContext): InvocationModel;
}

const hookNames = ['preInvocation', 'postInvocation', 'appStart', 'appTerminate'] as const;
export type HookName = (typeof hookNames)[number];
export type Hook = (context: Record<string, unknown>) => unknown;

/** What one app has registered. */
export interface Registry {
  readonly functions: Map<string, { readonly metadata: FunctionMetadata; readonly handler: Handler }>;
  readonly hooks: Record<HookName, Hook[]>;
  model: ProgrammingModel | undefined;
}

class Disposable {
  #undo: (() => void) | undefined;
  constructor(undo: () => void) {
    this.#undo = undo;
  }
  static from(...parts: { dispose(): void }[]): Disposable {
    return new Disposable(() => {
      for (const part of parts) part.dispose();
    });
  }
  dispose(): void {
    this.#undo?.();
    this.#undo = undefined;
  }
}

let loading: Registry | undefined;
/** The library sets its model once a process, at the first registration of the first app. */
let lastModel: ProgrammingModel | undefined;
let write: (line: string) => void = console.error;

function registry(what: string): Registry {
  if (!loading) throw new Error(`A ${what} can only be registered during app startup.`);
  return loading;
}

const core = {
  version: '3.14.1',
  hostVersion: '4.1052.200',
  Disposable,
  setProgrammingModel(model: ProgrammingModel) {
    lastModel = model;
    registry('programming model').model = model;
  },
  getProgrammingModel: () => lastModel,
  registerFunction(metadata: FunctionMetadata, handler: Handler) {
    const { functions } = registry('function');
    const id = metadata.functionId || metadata.name;
    if (functions.has(id)) throw new Error(`A function with id "${id}" has already been registered.`);
    functions.set(id, { metadata, handler });
    return new Disposable(() => registry('function').functions.delete(id));
  },
  registerHook(name: string, hook: Hook) {
    const known = hookNames.find((each) => each === name);
    if (!known) {
      const error = new RangeError(`Unrecognized hook "${name}"`);
      throw Object.assign(error, { isAzureFunctionsSystemError: true });
    }
    const { hooks } = registry('hook');
    hooks[known].push(hook);
    return new Disposable(() => {
      hooks[known] = hooks[known].filter((each) => each !== hook);
    });
  },
  log(_level: string, _category: string, message: string) {
    write(message);
  },
};

const specifier = '@azure/functions-core';
const key = `${specifier} of this process`;

/** From here on, whatever requires or imports `@azure/functions-core` in this process gets ours. */
function supplyCore(): void {
  if (Symbol.for(key) in globalThis) return;
  Object.assign(globalThis, { [Symbol.for(key)]: core });
  const url = 'azure:functions-core';
  registerHooks({
    resolve: (wanted, context, next) =>
      wanted === specifier ? { url, format: 'commonjs', shortCircuit: true } : next(wanted, context),
    load(wanted, context, next) {
      const source =
        wanted === url
          ? `module.exports = globalThis[Symbol.for(${JSON.stringify(key)})];`
          : libraryFromSource(wanted);
      return source === undefined
        ? next(wanted, context)
        : { format: 'commonjs', source, shortCircuit: true };
    },
  });
}

let queue: Promise<unknown> = Promise.resolve();

/** Runs `load`, which imports the files of an app, and returns what they registered. One app at a time. */
export function collect(load: () => Promise<void>, log: (line: string) => void): Promise<Registry> {
  const turn = queue.then(async () => {
    supplyCore();
    write = log;
    const registered: Registry = {
      functions: new Map(),
      hooks: { preInvocation: [], postInvocation: [], appStart: [], appTerminate: [] },
      model: lastModel,
    };
    loading = registered;
    try {
      await load();
    } finally {
      loading = undefined;
    }
    return registered;
  });
  queue = turn.catch(() => undefined);
  return turn;
}
