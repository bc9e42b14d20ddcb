import assert from 'node:assert/strict';
import { test } from 'node:test';
import { THEMES, terminalSvg } from './terminal-svg.ts';

const line = (text: string) => [{ text, isBold: false, isDim: false }];

test('what stands on the screen is text in the picture, never markup', () => {
  const svg = terminalSvg([{ atMs: 0, lines: [line('<script>&')] }], 80, '<b>', THEMES.light);
  assert.ok(svg.includes('&lt;script&gt;&amp;') && svg.includes('<title>&lt;b&gt;</title>'));
  assert.doesNotMatch(svg, /<script|animation/);
});

test('who wants no motion sees how it ends', () => {
  const frames = [
    { atMs: 0, lines: [line('begins')] },
    { atMs: 500, lines: [line('ends')] },
  ];
  const svg = terminalSvg(frames, 80, 'two', THEMES.dark);
  const [still = '', moving = ''] = svg.split('@media (prefers-reduced-motion:no-preference)');
  assert.match(still, /g\{opacity:0\}#f1\{opacity:1\}/);
  assert.match(moving, /@keyframes f0\{0%\{opacity:1\}11\.11%\{opacity:0\}\}/);
  assert.match(moving, /@keyframes f1\{0%\{opacity:0\}11\.11%\{opacity:1\}\}/);
});
