/**
 * The floor: what any exchange on Node costs at least. Bare node:http, the form parsed, the caller's token
 * verified by jose, a fixed answer. A script for load.ts to fork.
 */
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { jwtVerify } from 'jose';
import { AUDIENCE, createSubjectTokens, ISSUER } from './subject-tokens.ts';

const { publicKey, bodies } = await createSubjectTokens();
const answer = JSON.stringify({
  access_token: 'x'.repeat(600),
  issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
  token_type: 'Bearer',
  expires_in: 598,
});

const server = createServer(async (request, response) => {
  const form = new URLSearchParams(await readBody(request));
  try {
    await jwtVerify(form.get('subject_token') ?? '', publicKey, { audience: AUDIENCE, issuer: ISSUER });
    response.writeHead(200, { 'content-type': 'application/json', 'cache-control': 'no-store' });
    response.end(answer);
  } catch {
    response.writeHead(400).end();
  }
});

function readBody(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    request.setEncoding('utf8');
    request.on('data', (chunk: string) => {
      text += chunk;
    });
    request.on('end', () => resolve(text));
    request.on('error', reject);
  });
}

server.listen(0, '127.0.0.1', () => {
  const { port } = server.address() as AddressInfo;
  process.send?.({ url: `http://127.0.0.1:${port}/oauth2/token`, bodies });
});
process.on('disconnect', () => process.exit());
