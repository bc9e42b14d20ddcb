/** One line of what the doctor says. */

export interface Check {
  readonly check: string;
  readonly fine: boolean;
  readonly says: string;
  readonly todo?: string;
  /** Whoever asks may not look, or there is nothing to look at: that is no failure. */
  readonly skipped?: true;
}
/** What is wrong, and what to do about it. */
export interface Finding {
  readonly says: string;
  readonly todo: string;
}
/** What was looked at in Azure; `unseen` says why it could not be. */
export type Looked<Found> = { readonly seen: Found } | { readonly unseen: string };

export const seenOr = <Found, Other>(looked: Looked<Found>, other: Other): Found | Other =>
  'seen' in looked ? looked.seen : other;

export const skip = (check: string, says: string): Check => ({ check, fine: true, skipped: true, says });

/** The findings of one check; where there are none, `fine` says what is well. */
export function checksOf(check: string, findings: readonly Finding[], fine: string): readonly Check[] {
  if (findings.length === 0) return [{ check, fine: true, says: fine }];
  return findings.map((finding) => ({ check, fine: false, ...finding }));
}

/** As `checksOf`, of something that perhaps could not be seen. */
export function judged<Found>(
  check: string,
  looked: Looked<Found>,
  judge: (found: Found) => readonly Finding[],
  fine: string,
): readonly Check[] {
  return 'seen' in looked ? checksOf(check, judge(looked.seen), fine) : [skip(check, looked.unseen)];
}
