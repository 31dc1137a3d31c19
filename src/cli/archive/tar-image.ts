import { basename } from 'node:path';
import type { DumpHeader } from '../../wire/dumpfile.js';

/** Applications whose images GNU tar reads. */
const TAR_APPLICATIONS = ['amgtar', 'amsuntar', 'ampgsql', 'amsamba'];

/** Whether an image is a tar archive, when it is decoded. */
export function isTarImage({ program, application }: DumpHeader): boolean {
  return application === undefined
    ? /^(?:g|gnu|bsd)?tar$/.test(basename(program)) || program === 'GNUTAR'
    : TAR_APPLICATIONS.includes(application);
}
