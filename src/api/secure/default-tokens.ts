/** Where tokens are kept unless somebody says otherwise. Alone, so that a start need not load what reads them. */
export const DEFAULT_TOKENS = "/var/lib/sluice/tokens.json";
