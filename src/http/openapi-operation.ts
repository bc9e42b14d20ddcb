/** One route and method of the OpenAPI document, and the words that several of them share. */
import type { ShapeName } from './openapi-shapes.ts';

export type Answers = Readonly<Record<number, readonly [description: string, shape?: ShapeName]>>;
export interface Operation {
  readonly summary: string;
  readonly body?: Readonly<Record<string, ShapeName | undefined>>;
  readonly parameters?: readonly object[];
  readonly answers: Answers;
  readonly security?: readonly object[];
}

export const JSON_TYPE = 'application/json';
export const ENTRA = [{ entra: [] }];
