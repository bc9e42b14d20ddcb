/** A trace as a tree, as people read it. */
import type { SpanData } from './collector.ts';

/** @param resource leaves out the work on all others */
export function treeOf(spans: readonly SpanData[], traceId: string, resource?: string): string {
  const isOther = ({ name, attributes }: SpanData): boolean =>
    resource !== undefined && attributes['broker.resource'] === name && name !== resource;
  const own = spans
    .filter((span) => span.traceId === traceId && !isOther(span))
    .sort((a, b) => a.startMs - b.startMs);
  const lines = [`trace ${traceId} (${own[0]?.service})`];
  const add = (span: SpanData, indent: string, isLast: boolean): void => {
    const about = Object.entries(span.attributes).map(([name, value]) => `${name}=${value}`);
    const head = `${indent}${isLast ? '└─' : '├─'} ${span.name}`;
    const took = `${(span.endMs - span.startMs).toFixed(1)} ms`;
    lines.push(`${head.padEnd(44)} ${took.padStart(10)}  ${span.failed ? 'ERROR ' : ''}${about.join(' ')}`);
    const children = own.filter(({ parentSpanId }) => parentSpanId === span.spanId);
    for (const [at, child] of children.entries())
      add(child, `${indent}${isLast ? '   ' : '│  '}`, at === children.length - 1);
  };
  const [first] = own.filter(({ parentSpanId }) => !spans.some(({ spanId }) => spanId === parentSpanId));
  const roots = first === undefined ? [] : [first];
  for (const [at, root] of roots.entries()) add(root, '', at === roots.length - 1);
  return lines.join('\n');
}
