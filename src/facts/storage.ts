/** Facts about Azure Storage and its emulator. Source: learn.microsoft.com/azure/storage/common/storage-use-azurite */

/**
 * The account and key that every Azurite has. The key is published, so it is no secret; the broker uses it on
 * loopback only.
 */
export const DEVELOPMENT_ACCOUNT = 'devstoreaccount1';
export const DEVELOPMENT_KEY =
  'Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==';
