import type { IncomingRequest } from '../../exchange/service.js';
import { AmandaError } from '../../wire/errors.js';
import type { FeatureName } from '../../wire/features.js';
import { requestOptions } from './request-options.js';

/** The feature of a target that writes dumps to shared memory. */
export const SHARED_MEMORY: FeatureName = 'fe_sendbackup_req_options_data_shm_control_name';
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
