/**
 * `rx-amanda/testing`: tools for testing what is built on rx-amanda. Frames and packets as bytes,
 * a scripted peer, the suite that every driver passes, and marble pages that run in virtual time.
 */

// Peers: two joined channels, and one whose every byte a test writes.
export { memoryChannels } from '../drivers/memory.js';
export { ScriptedPeer } from './scripted-peer.js';
export {
  frameBytes,
  hex,
  joinBytes,
  packetBytes,
  packetPayload,
  textBytes,
  withHeader,
} from './bytes.js';

// The suite that every driver passes.
export { complianceServices } from './compliance/compliance-services.js';
export * from './compliance/driver-compliance.js';
export type { ComplianceLimits, CompliancePeers } from './compliance/compliance-behaviour.js';

// Marble pages: declare, run, compare, draw.
export * from '../diagram/page/page.js';
export type { PictureLine } from '../diagram/page/picture.js';
export { pageDiagram } from '../diagram/page/page-diagram.js';
export * from './page-connection.js';
export * from './marks.js';
export * from './check-page.js';
export * from './run-page.js';
