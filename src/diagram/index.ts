/**
 * `rx-amanda/diagram`: records what happens on a connection, and draws it. Runs in a browser.
 *
 *     const recording = new Recording({ title: 'noop of db1' });
 *     connect(driver)
 *       .pipe(record(recording), noop())
 *       .subscribe({ complete: () => console.log(toText(recording.diagram())) });
 */

// Recording: from a Connection, from frames, from bytes.
export * from './record.js';
export * from './recording.js';
export { Conversation } from './conversation.js';
export type { ConversationError, ConversationOptions } from './conversation.js';
export * from './conversation-bytes.js';

// The diagram and its steps.
export type { Role } from '../wire/role.js';
export type { Change, Diagram, Direction, Happening, Lane, LaneEvent, LaneKind } from './model.js';
export type { LaneStart, LegendEntry, Period, Span, SpanKind } from './model.js';
export { condense } from './condense.js';

// Drawing.
export * from './svg/svg.js';
export * from './text/text.js';
