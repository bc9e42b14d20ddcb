/** A UUID of version 7 (RFC 9562 section 5.7): its first 48 bits are milliseconds, so later ones sort after earlier ones. */
export function uuid7(nowMs: number): string {
  const time = Math.floor(nowMs).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7${crypto.randomUUID().slice(15)}`;
}
