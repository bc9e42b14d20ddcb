/** Markup in template literals: htm parses it, Preact makes elements of it. Text is only ever text. */
export { html } from 'htm/preact';
