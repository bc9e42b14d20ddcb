import { isPrivate } from './loopback.ts';

/** Where a tool may send a caller's token. */
export function isBrokerUrl(url: string): boolean {
  if (!URL.canParse(url)) return false;
  const parsed = new URL(url);
  return isPrivate(parsed) && parsed.username === '' && parsed.password === '';
}
