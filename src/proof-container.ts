/** The container of the audit's proof, in the broker's storage account. The deployment and the local mode make it. */
export const PROOF_CONTAINER = 'proof';
