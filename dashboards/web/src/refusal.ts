// Why something could not be done, in the words of the page as far as it has some.
import { Refusal } from './api.ts';
import type { Lang } from './strings.ts';
import { reasonText } from './strings.ts';

/** reasonOf is why the service did not answer as it should: a word of the page, or what the service says. */
export function reasonOf(error: unknown): string {
  if (error instanceof Refusal) return error.message;
  return error instanceof Error && error.name === 'TimeoutError' ? 'timeout' : 'no_connection';
}

/** complaint writes it. */
export const complaint = (error: unknown, lang: Lang) => reasonText(lang, reasonOf(error));
