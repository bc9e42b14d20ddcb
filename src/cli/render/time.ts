/** Times as people read them. */

const UNITS = [
  [86_400, 'd'],
  [3_600, 'h'],
  [60, 'min'],
  [1, 's'],
] as const;

/** So many units at most, two as a rule: `3 d 4 h`, `9 min 58 s`. */
export function span(ms: number, units = 2): string {
  let left = Math.max(0, Math.round(ms / 1000));
  const parts: string[] = [];
  for (const [seconds, name] of UNITS) {
    const count = Math.floor(left / seconds);
    if (count > 0) parts.push(`${count} ${name}`);
    else if (parts.length > 0) break;
    left -= count * seconds;
    if (parts.length === units) break;
  }
  return parts.length === 0 ? '0 s' : parts.join(' ');
}

export interface Times {
  /** `3 min ago`, `in 2 h`; with `--utc` the instant itself. */
  at(iso: string | undefined): string | undefined;
  /** With one unit, for a table: `3 h ago`. */
  brief(iso: string | undefined): string | undefined;
}

export function times(nowMs: number, utc: boolean): Times {
  const tell = (iso: string | undefined, units: number): string | undefined => {
    if (iso === undefined) return undefined;
    const ms = Date.parse(iso);
    if (utc || Number.isNaN(ms)) return iso;
    const away = ms - nowMs;
    if (Math.abs(away) < 1_000) return 'now';
    return away > 0 ? `in ${span(away, units)}` : `${span(-away, units)} ago`;
  };
  return { at: (iso) => tell(iso, 2), brief: (iso) => tell(iso, 1) };
}
