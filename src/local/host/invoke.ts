/** One invocation, in the order of the real worker: arguments, hooks, handler, hooks, response. */
import { randomUUID } from 'node:crypto';
import type {
  Binding,
  CoreContext,
  FunctionMetadata,
  Handler,
  Registry,
  RpcHttpResponse,
  TypedData,
} from './core.ts';

/** A function with all that does not change between its invocations. */
export interface HostedFunction {
  readonly name: string;
  /** `httpTrigger`, `timerTrigger`, `eventGridTrigger`, `queueTrigger`. */
  readonly type: string;
  readonly trigger: Binding;
  readonly triggerName: string;
  readonly metadata: FunctionMetadata;
  readonly handler: Handler;
}

export interface Runtime {
  readonly registry: Registry;
  readonly log: (line: string) => void;
  /** Undefined: unbounded. */
  readonly functionTimeoutMs: number | undefined;
  /** A function ran out of time. Azure then replaces the worker, with every request in it. */
  readonly timedOut: (name: string) => void;
}

/** The functions of an app in the alphabetical order of their names, the order in which routes are tried. */
export function hostedFunctions(registry: Registry): HostedFunction[] {
  const functions: HostedFunction[] = [];
  for (const { metadata, handler } of registry.functions.values()) {
    const found = Object.entries(metadata.bindings).find(([, { type }]) => /trigger$/i.test(type));
    if (!found) continue;
    const [triggerName, trigger] = found;
    functions.push({ name: metadata.name, type: trigger.type, trigger, triggerName, metadata, handler });
  }
  return functions.sort((a, b) => (a.name.toLowerCase() < b.name.toLowerCase() ? -1 : 1));
}

/**
 * Resolves to what an http function answered, undefined being "nothing".
 * @throws what the handler, a hook or the conversion of the answer threw.
 */
export async function invoke(
  { registry, log, functionTimeoutMs, timedOut }: Runtime,
  fn: HostedFunction,
  input: TypedData,
  triggerMetadata?: Record<string, TypedData>,
): Promise<RpcHttpResponse | undefined> {
  const { model, hooks } = registry;
  if (!model) throw new Error('no programming model was registered');
  const invocationId = randomUUID();
  const context: CoreContext = {
    invocationId,
    metadata: fn.metadata,
    state: undefined,
    log: (_level, _category, message) => log(message),
    request: {
      invocationId,
      functionId: fn.name,
      inputData: [{ name: fn.triggerName, data: input }],
      triggerMetadata,
      traceContext: { traceParent: '', traceState: '', attributes: {} },
    },
  };
  const timer =
    functionTimeoutMs === undefined ? undefined : setTimeout(timedOut, functionTimeoutMs, fn.name);
  try {
    const invocation = model.getInvocationModel(context);
    const args = await invocation.getArguments();
    if (hooks.preInvocation.length + hooks.postInvocation.length > 0) {
      return await withHooks(registry, context, fn, invocation, args);
    }
    context.state = 'invocation';
    const result = await invocation.invokeFunction(args.context, args.inputs, fn.handler);
    context.state = undefined;
    return (await invocation.getResponse(args.context, result)).returnValue?.http;
  } finally {
    clearTimeout(timer);
  }
}

type Invocation = ReturnType<NonNullable<Registry['model']>['getInvocationModel']>;
type Arguments = Awaited<ReturnType<Invocation['getArguments']>>;

async function withHooks(
  { hooks }: Registry,
  context: CoreContext,
  fn: HostedFunction,
  invocation: Invocation,
  { context: invocationContext, inputs }: Arguments,
): Promise<RpcHttpResponse | undefined> {
  const shared = { hookData: {}, invocationContext };
  const before = { ...shared, functionCallback: fn.handler, inputs };
  const after = { ...shared, inputs, result: undefined as unknown, error: undefined as unknown };
  try {
    context.state = 'preInvocationHooks';
    for (const hook of hooks.preInvocation) await hook(before);
    after.inputs = before.inputs;
    context.state = 'invocation';
    after.result = await invocation.invokeFunction(invocationContext, before.inputs, before.functionCallback);
  } catch (error) {
    after.error = error;
  }
  context.state = 'postInvocationHooks';
  for (const hook of hooks.postInvocation) await hook(after);
  context.state = undefined;
  if (after.error !== undefined && after.error !== null) throw after.error;
  return (await invocation.getResponse(invocationContext, after.result)).returnValue?.http;
}
