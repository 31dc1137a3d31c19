import type { Socket } from 'node:net';
import { Observable } from 'rxjs';
import { AmandaError } from '../../wire/errors.js';
import { admissionLimits } from '../admission-limits.js';
import { noTls } from './ssl-errors.js';

/** The type of the record that every TLS session begins with. */
const HANDSHAKE_RECORD = 0x16;
const RECORD_HEADER_BYTES = 5;

/**
 * Emits once and completes when an accepted socket has its first TLS record, which stays unread.
 *
 * A peer that says nothing, half a record or something else costs no TLS session. Errors with
 * `TLS_FAILED` when the peer does not speak TLS or closes the connection.
 */
export function clientHello(raw: Socket): Observable<void> {
  return new Observable((out) => {
    const peer = `${raw.remoteAddress ?? ''} port ${raw.remotePort}`;
    let bytes = Buffer.alloc(0);
    const look = (): void => {
      const more = raw.read() as Buffer | null;
      if (more !== null) bytes = Buffer.concat([bytes, more]);
      if (bytes.length > 0 && bytes[0] !== HANDSHAKE_RECORD) out.error(noTls(bytes, peer));
      else if (bytes.length > 0 && bytes.length >= bytesOfRecord(bytes)) {
        raw.unshift(bytes);
        out.next();
        out.complete();
      } else if (raw.readableEnded || raw.destroyed) out.error(hungUp(raw, peer));
    };
    out.add(() => {
      raw.off('readable', look).off('end', look).off('close', look);
    });
    // Errors of a socket that is being destroyed do not matter.
    raw.on('error', () => undefined);
    raw.on('readable', look).on('end', look).on('close', look);
    // The events may have happened already.
    look();
  });
}

function bytesOfRecord(start: Buffer): number {
  if (start.length < RECORD_HEADER_BYTES) return RECORD_HEADER_BYTES;
  return Math.min(RECORD_HEADER_BYTES + start.readUInt16BE(3), admissionLimits.helloBytes);
}

function hungUp({ bytesRead }: Socket, peer: string): AmandaError {
  const when = bytesRead === 0 ? 'before it had said a word' : 'during the TLS handshake';
  return new AmandaError('TLS_FAILED', `${peer} closed the connection ${when}.`, { peer });
}
