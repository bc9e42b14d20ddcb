/** What one types. */
export const PROGRAM = 'azure-ai-token-broker';
