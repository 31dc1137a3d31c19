/** A member of an archive that a test writes by hand. */
export interface WrittenMember {
  readonly name: string;
  /** Default `0`, a file. */
  readonly type?: string;
  readonly data?: string | Uint8Array;
  readonly link?: string;
  /** Default the length of the data. */
  readonly size?: number;
}

/** A tar archive in GNU's format, with its end. Texts have one character for each byte. */
export function writtenTar(...members: readonly WrittenMember[]): Buffer {
  return Buffer.concat([...members.map(memberBlocks), Buffer.alloc(1024)]);
}

function memberBlocks({ name, type = '0', data = '', link = '', size }: WrittenMember): Buffer {
  const bytes = typeof data === 'string' ? Buffer.from(data, 'latin1') : data;
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'latin1');
  header.write('0000755\0', 100);
  header.write(`${process.getuid?.().toString(8).padStart(7, '0') ?? '0000000'}\0`, 108);
  header.write(`${process.getgid?.().toString(8).padStart(7, '0') ?? '0000000'}\0`, 116);
  header.write(`${(size ?? bytes.length).toString(8).padStart(11, '0')}\0`, 124);
  header.write('14000000000\0', 136);
  header.write(type, 156);
  header.write(link, 157, 100, 'latin1');
  header.write('ustar  \0', 257);
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

/** The data of a pax header. */
export function paxRecords(records: Readonly<Record<string, string>>): string {
  return Object.entries(records)
    .map(([key, value]) => {
      const rest = ` ${key}=${value}\n`;
      const digits = String(rest.length + String(rest.length).length).length;
      return `${rest.length + digits}${rest}`;
    })
    .join('');
}
