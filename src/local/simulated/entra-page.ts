/** What the simulated Entra shows in a browser: a button for each person, or what is wrong with the request. */
import { createHash } from 'node:crypto';
import type { User } from './directory.ts';
import type { Outcome } from './service.ts';

const STYLE = `:root{color-scheme:light dark;font:16px/1.5 system-ui,sans-serif}
body{margin:0;min-height:100vh;display:grid;place-content:center;background:light-dark(#eef1f5,#16181d);color:light-dark(#1b1e24,#e7e9ee)}
main{width:min(22rem,92vw);padding:1.5rem;border-radius:8px;background:light-dark(#fff,#1f2229);box-shadow:0 2px 12px #0003}
h1{font-size:1.25rem;margin:0 0 .25rem}p{margin:.25rem 0 1rem;color:light-dark(#555c68,#a3abb8)}
button{display:block;width:100%;margin:.5rem 0;padding:.6rem;font:inherit;text-align:left;border:1px solid light-dark(#8a93a1,#5b6472);border-radius:6px;background:none;color:inherit;cursor:pointer}
button:hover,button:focus-visible{outline:2px solid light-dark(#0b5cad,#7ab8ff);outline-offset:1px}`;

/** No form-action: the answer to the form is a redirect to the client, and browsers hold it to that list too. */
const POLICY = [
  "default-src 'none'",
  `style-src 'sha256-${createHash('sha256').update(STYLE).digest('base64')}'`,
  'img-src data:',
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

export const signInPage = (people: readonly User[], client: string): Outcome =>
  page(
    200,
    'Sign in',
    `<p>The simulated Microsoft Entra on this machine. Who opens ${escaped(client)}?</p>
<form method="post">${people
      .map(({ name }) => `<button name="person" value="${escaped(name)}">${escaped(name)}</button>`)
      .join('')}</form>`,
  );

export const signedOutPage = (): Outcome => page(200, 'Signed out', '<p>You can close this window.</p>');

/** A request that names no client or no address of its own is told to the person, and goes nowhere. */
export const wrongPage = (message: string): Outcome =>
  page(400, 'Sorry, but we’re having trouble signing you in', `<p>${escaped(message)}</p>`);

function page(status: number, title: string, content: string): Outcome {
  return {
    status,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'cache-control': 'no-store',
      'content-security-policy': POLICY,
      // The form's Origin is checked, and without any referrer it would be `null`.
      'referrer-policy': 'same-origin',
      'x-content-type-options': 'nosniff',
    },
    body: `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title}</title><link rel="icon" href="data:,"><style>${STYLE}</style></head>
<body><main><h1>${title}</h1>${content}</main></body></html>`,
  };
}

const escaped = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');
