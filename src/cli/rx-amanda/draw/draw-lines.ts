import type { ListedStep } from '../../../capture/frame-list.js';
import type { TapChange } from '../../../tap/tap-change.js';
import { printable } from '../../../wire/text.js';

/**
 * A step of the list for a person: `     0.988112 #1 > @0 handle 1: REQ, 387 bytes "SECURITY…"`.
 */
export function listLine(step: ListedStep): string {
  const front = frontOf(step.time, step.connection);
  if (step.kind === 'open') {
    const missing = step.isWhole ? '' : ' (its beginning is missing)';
    return `${front} open ${step.from} -> ${step.to}${missing}`;
  }
  if (step.kind === 'unfinished') return `${front} not ended where the file ends`;
  const place = `${front} ${step.sender === 'initiator' ? '>' : '<'} @${step.offset}`;
  if (step.kind === 'end' || step.kind === 'reset') return `${place} ${step.kind}`;
  if (step.kind === 'stop') return `${place} stop: ${step.code} ${step.message}`;
  const name = `handle ${step.handle}${step.stream === undefined ? '' : ` ${step.stream}`}`;
  if (step.kind === 'close') return `${place} ${name}: close`;
  const text = step.text === undefined ? step.hex : `"${printable(step.text, Infinity)}"`;
  const shown = `${text === undefined ? '' : ` ${text}`}${step.isCut === true ? '…' : ''}`;
  return `${place} ${name}: ${step.kind}, ${step.bytes} bytes${shown}`;
}

/** A step of a recording as such a line. It has a lane instead of a handle. */
export function changeLine(change: TapChange): string {
  const { connection } = change;
  if (change.kind === 'opened') {
    const from = change.peer.address ?? 'a pipe';
    return `${frontOf(0, connection)} open ${from} -> ${printable(change.target)}\n`;
  }
  if (change.kind === 'closed')
    return `             #${connection} closed: ${printable(change.reason)}\n`;
  if (change.change.kind !== 'event') return '';
  const { lane, event } = change.change;
  const arrow = event.direction === undefined ? '-' : event.direction === 'out' ? '>' : '<';
  const text = `${printable(lane)}: ${printable(event.label, 400)}`;
  return `${frontOf(event.at / 1e3, connection)} ${arrow} ${text}\n`;
}

function frontOf(seconds: number, connection: number): string {
  return `${seconds.toFixed(6).padStart(12)} #${connection}`;
}
