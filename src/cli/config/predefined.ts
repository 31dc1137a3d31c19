import type { Settings } from './settings.js';

const at = { file: "Amanda's own dumptypes" };

/** The dumptypes that every configuration has without a definition. */
export const predefinedDumptypes: ReadonlyMap<string, Settings> = new Map<string, Settings>([
  ['no-compress', { compress: { value: 'NONE', at } }],
  ['compress-fast', { compress: { value: 'FAST', at } }],
  ['compress-best', { compress: { value: 'BEST', at } }],
  ['compress-cust', { compress: { value: 'CUSTOM', at } }],
  ['srvcompress', { compress: { value: 'SERVER-FAST', at } }],
  ['bsd-auth', { auth: { value: 'BSD', at } }],
  ['bsdtcp-auth', { auth: { value: 'BSDTCP', at } }],
  ['no-record', { record: { value: false, at } }],
  ['no-hold', {}],
  ['no-full', {}],
]);
