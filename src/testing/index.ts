/**
 * Tools for testing what is built on rx-amanda: both sides of a connection in one process, frames
 * and packets as bytes, and marble pages that run in virtual time and can be drawn.
 */
export { memoryChannels, memory, type Memory, type MemoryOptions } from '../drivers/memory.js';
export {
  connectionLane,
  handleLane,
  page,
  streamLane,
  userLane,
  type Page,
  type PageDeclaration,
  type PageLane,
  type PageScope,
} from '../diagram/page/page.js';
export type {
  Diagram,
  Direction,
  Happening,
  Lane,
  LaneEvent,
  LaneKind,
  LegendEntry,
  Period,
  Span,
  SpanKind,
} from '../diagram/model.js';
export { pageDiagram } from '../diagram/page/page-diagram.js';
export { toSvg, type SvgOptions } from '../diagram/svg/svg.js';
export { toText, type TextOptions } from '../diagram/text/text.js';
export type { Legend, Mark } from '../diagram/mark.js';
export { complianceServices } from './compliance/compliance-services.js';
export {
  driverCompliance,
  type ComplianceOptions,
  type ComplianceRunner,
  type ComplianceSetup,
  type ComplianceTest,
} from './compliance/driver-compliance.js';
export type { ComplianceLimits, CompliancePeers } from './compliance/compliance-behaviour.js';
export { frameBytes, hex, join, packetBytes, packetPayload, text, withHeader } from './bytes.js';
export { checkPage } from './check-page.js';
export {
  bogus,
  bulk,
  bulkFrame,
  bytes,
  chunk,
  close,
  failure,
  frame,
  packet,
  value,
} from './marks.js';
export { runPage, type PageRun, type Seen } from './run-page.js';
export { ScriptedPeer } from './scripted-peer.js';
