import type { Campaign } from './campaign';

/** Every campaign by its name, in the order in which they run. */
export const CAMPAIGNS: Readonly<Record<string, Campaign>> = {};
