/** A trace as a tree, as people read it. */
import type { SpanData } from './collector.ts';

export function treeOf(spans: readonly SpanData[], traceId: string): string {
  const own = spans.filter((span) => span.traceId === traceId).sort((a, b) => a.startMs - b.startMs);
  const ids = new Set(own.map(({ spanId }) => spanId));
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
  const roots = own.filter(({ parentSpanId }) => !ids.has(parentSpanId));
  for (const [at, root] of roots.entries()) add(root, '', at === roots.length - 1);
  return lines.join('\n');
}
