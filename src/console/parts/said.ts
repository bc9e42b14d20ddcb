/** A state in a word, with a sign beside its colour. Without markup, for the files that decide which. */
export interface Said {
  readonly tone: 'good' | 'warn' | 'bad' | '';
  readonly sign: string;
  readonly words: string;
}
