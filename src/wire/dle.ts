export { formatDle } from './dle-format.js';
export { parseDles } from './dle-parse.js';
export type {
  Dle,
  DleCompression,
  DleDatapath,
  DleEncryption,
  DleLevel,
  DlePlugin,
  DleProperty,
  DleScript,
  DleSelection,
  EstimateMethod,
} from './dle-types.js';
export type { Element } from './markup.js';
