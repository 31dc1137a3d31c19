import { of } from 'rxjs';
import { reply, type Service } from '../../exchange/service.js';
import { Features, type FeatureName } from '../../wire/features.js';
import { formatOptions } from '../../wire/options.js';

/**
 * The features of Amanda 3.5.1 that our sendbackup does not have:
 *
 * - data in shared memory, for which a requester on this host would wait;
 * - what it refuses: programs other than GNUTAR, compression and encryption on the client, include
 *   lists, scripts, and DIRECTTCP.
 *
 * Executables of Amanda beside our sendbackup take them as `hideFeatures`.
 */
export const unsupportedFeatures: readonly FeatureName[] = [
  'fe_sendbackup_req_options_data_shm_control_name',
  'fe_program_dump',
  'fe_program_star',
  'fe_program_application_api',
  'fe_options_compress_fast',
  'fe_options_compress_best',
  'fe_options_compress_cust',
  'fe_options_encrypt_cust',
  'fe_options_client_decrypt_option',
  'fe_options_kencrypt',
  'fe_options_include_file',
  'fe_options_include_list',
  'fe_options_multiple_include',
  'fe_options_optional_include',
  'fe_pp_script',
  'fe_xml_directtcp_list',
];

/**
 * The features of our own services, so that a server reports a missing one when it checks, before
 * it dumps. Source: PROTOCOL.md, "Features".
 */
export const ourFeatures: Features = Features.amanda351.without(...unsupportedFeatures);

/**
 * The service with which every conversation begins: it says what the target supports. Beside
 * Amanda's executables, give it `Features.amanda351`.
 */
export function noopService(features: Features = ourFeatures): Service {
  const answer = of(reply({ lines: [formatOptions({ features }).trimEnd()] }));
  return () => answer;
}
