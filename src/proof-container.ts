/** The container of the audit's proof, in the broker's storage account. The deployment and the local mode make it. */
export const PROOF_CONTAINER = 'proof';

/** The name of a day's blob, of a day such as `2026-11-26`. */
export const proofBlobOf = (day: string): string => `${day}.jsonl`;
