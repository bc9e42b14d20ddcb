/**
 * The part of CHANGELOG.md about one version: what stands under `## 1.2.3`, which may be followed by a date.
 * @returns undefined where the version has no heading there, or nothing below it
 */
export function releaseNotes(changelog: string, version: string): string | undefined {
  const sections = changelog.split(/^## /m).slice(1);
  const section = sections.find((one) => /^\[?([^\s\]]+)/.exec(one)?.[1] === version);
  const notes = section?.slice(section.indexOf('\n')).trim();
  return notes === '' ? undefined : notes;
}
