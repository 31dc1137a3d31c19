import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { filter, firstValueFrom, lastValueFrom, type Observable } from 'rxjs';
import { connect } from '../../src/initiator/connect.js';
import type { Driver } from '../../src/drivers/driver.js';
import { index } from '../../src/initiator/recover/index-session.js';
import type { ImageSink, RestoreImageEvent } from '../../src/initiator/recover/image-restore.js';
import { restoreImage } from '../../src/initiator/recover/restore-image.js';
import type { Configuration } from './amanda-config.js';
import { type Lab, programs } from './real-amanda.js';

/** Dumps one disk by the real programs alone, so that there is something to recover. */
export async function dumpOnce(
  lab: Lab,
  { name, path }: { readonly name: string; readonly path: string },
): Promise<Configuration> {
  const config = lab.configure({ name: 'dumped-once', auth: 'local', disks: [{ name, path }] });
  const { code, stdout, stderr } = await lab.asBackup(programs.amdump, [config.name], {
    timeout: 100_000,
  });
  if (code !== 0)
    throw new Error(`amdump ended with ${code}: ${stdout}${stderr}${lab.sandbox.logs()}`);
  return config;
}

/** The image of the newest dump of a disk, looked up and read from the server's volumes. */
export async function recoverImage(
  driver: Driver,
  { name: config }: Configuration,
  disk: string,
): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  const keep = (chunk: Uint8Array): readonly never[] => {
    chunks.push(chunk);
    return [];
  };
  const restored = await lastValueFrom(await restoreNewest(driver, config, disk, keep));
  if (restored.kind !== 'done' || !restored.outcome.isVerified)
    throw new Error('The image was not verified.');
  return Buffer.concat(chunks);
}

/** Asks amidxtaped for a dump, and leaves when its header has come. */
export async function leaveAmidxtaped(
  driver: Driver,
  { name: config }: Configuration,
  disk: string,
): Promise<void> {
  const events = await restoreNewest(driver, config, disk, () => []);
  await firstValueFrom(events.pipe(filter(({ kind }) => kind === 'started')));
}

async function restoreNewest(
  driver: Driver,
  config: string,
  disk: string,
  data: ImageSink,
): Promise<Observable<RestoreImageEvent>> {
  const place = { host: 'localhost', disk };
  const dump = await firstValueFrom(
    connect(driver).pipe(index({ config }, (session) => session.dumps(place))),
  );
  return connect(driver).pipe(restoreImage({ config, ...place, dump }, () => ({ data })));
}

/** Unpacks an image of GNU tar into a new folder, which is returned. */
export function unpack(image: Uint8Array, directory: string): string {
  mkdirSync(directory);
  const { status, stderr } = spawnSync('tar', ['-xpGf', '-', '-C', directory], { input: image });
  if (status !== 0) throw new Error(`tar ended with ${status}: ${stderr.toString()}`);
  return directory;
}
