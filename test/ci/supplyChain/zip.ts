import { crc32, deflateRawSync } from "node:zlib";

/** A ZIP archive of files: short ones stored, others deflated. */
export function archiveOf(files: Readonly<Record<string, string>>): Buffer {
  const locals: Buffer[] = [];
  const central: Buffer[] = [];
  let offset = 0;
  for (const [name, text] of Object.entries(files)) {
    const plain = Buffer.from(text);
    const deflated = plain.length > 100;
    const content = deflated ? deflateRawSync(plain) : plain;
    const sizes = Buffer.alloc(14);
    sizes.writeUInt32LE(crc32(plain), 0);
    sizes.writeUInt32LE(content.length, 4);
    sizes.writeUInt32LE(plain.length, 8);
    sizes.writeUInt16LE(name.length, 12);
    const version = Buffer.from([20, 0]);
    const method = Buffer.from([0, 0, deflated ? 8 : 0, 0, 0, 0, 0, 0]);
    const common = Buffer.concat([version, method, sizes, Buffer.alloc(2)]);
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, Buffer.from(name), content]);
    const where = Buffer.alloc(14);
    where.writeUInt32LE(offset, 10);
    central.push(Buffer.concat([Buffer.from("PK\x01\x02"), version, common, where, Buffer.from(name)]));
    locals.push(local);
    offset += local.length;
  }
  const directory = Buffer.concat(central);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(central.length, 4);
  end.writeUInt16LE(central.length, 6);
  end.writeUInt32LE(directory.length, 8);
  end.writeUInt32LE(offset, 12);
  return Buffer.concat([...locals, directory, Buffer.from("PK\x05\x06"), end]);
}
