import type { IncomingRequest } from '../../exchange/service.js';
import { AmandaError } from '../../wire/errors.js';
import { parseOptions } from '../../wire/options.js';
import { encodeText, decodeText } from '../../wire/text.js';
import { requestOptions } from './request-options.js';

const NEWLINE = 0x0a;
const OPTION = 'data-shm-control-name';

/**
 * Arguments for sendbackup that name the shared memory in which the requester wants the data.
 *
 * Throws `ACCESS_DENIED` for a requester on another host and for a name that is not Amanda's,
 * because that requester would never get data. Source: PROTOCOL.md, "Starting a service".
 */
export function shmArguments(request: IncomingRequest): readonly string[] {
  const name =
    request.service === 'sendbackup' ? requestOptions(request.arguments).get(OPTION) : undefined;
  if (name === undefined) return [];
  if (request.peer.driver !== 'local')
    throw new AmandaError('ACCESS_DENIED', `${OPTION} is for auth local only`);
  if (!/^\/amanda_shm_control-\d{1,10}-\d{1,10}$/.test(name))
    throw new AmandaError('ACCESS_DENIED', `${OPTION} does not name shared memory of Amanda's`);
  return ['--shm-name', name];
}

/** Clears the feature for shared memory in a reply, if the reply begins with an OPTIONS line. */
export function withoutShm(body: Uint8Array): Uint8Array {
  const end = body.indexOf(NEWLINE);
  if (end < 0) return body;
  try {
    const options = parseOptions(decodeText(body.subarray(0, end)));
    if (options.features === undefined) return body;
    const features = options.features.without('fe_sendbackup_req_options_data_shm_control_name');
    return Buffer.concat([
      encodeText(options.with('features', features.toString()).toString()),
      body.subarray(end + 1),
    ]);
  } catch {
    return body;
  }
}
