import { existsSync } from "node:fs";
import { armor, Decrypter, Encrypter } from "age-encryption";
import { Failure } from "../../common/failure";
import { UsageFailure } from "../../common/usageFailure";
import { readInput } from "./files";

/*
 * The format of age (https://age-encryption.org/v1), so that an export can be decrypted without this program:
 * age --decrypt --identity backup.key prod-keys.age
 */

const PRIVATE_KEY = /^AGE-SECRET-KEY-/i;

/** Lines of a file of keys, without comments. */
const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));

/**
 * Public keys, each given as itself or in a file.
 *
 * @throws UsageFailure when one is none; what was found is not shown, as it may be a private key
 */
export async function recipientsOf(named: readonly string[]): Promise<string[]> {
  const all = await Promise.all(
    named.map(async (name) => {
      const isFile = existsSync(name);
      const keys = isFile || !name.startsWith("age1") ? linesOf(await readInput(name)) : [name];
      const place = isFile ? name : "--recipient";
      if (keys.some((key) => PRIVATE_KEY.test(key))) {
        throw new UsageFailure(
          `${place} is a private key`,
          "name the public one: age1…, as age-keygen -y prints it",
        );
      }
      for (const key of keys) {
        try {
          new Encrypter().addRecipient(key);
        } catch {
          throw new UsageFailure(
            `${place} is no public key of age`,
            "name one: age1…, as age-keygen prints it",
          );
        }
      }
      return keys;
    }),
  );
  if (all.flat().length === 0)
    throw new UsageFailure("there is no public key in the file", "name another one");
  return [...new Set(all.flat())];
}

/**
 * Private keys of a file.
 *
 * @throws UsageFailure when it holds none that this program can use
 */
export function identitiesOf(text: string, file: string): string[] {
  const keys = linesOf(text);
  if (keys.length === 0 || !keys.every(isIdentity)) {
    throw new UsageFailure(
      `${file} is no file with private keys of age`,
      "name one as age-keygen writes it; decrypt one that has a passphrase first (age --decrypt)",
    );
  }
  return keys;
}

function isIdentity(key: string): boolean {
  try {
    new Decrypter().addIdentity(key);
    return true;
  } catch {
    return false;
  }
}

/** A text that the recipients alone can read, as lines of ASCII. */
export async function encrypted(text: string, recipients: readonly string[]): Promise<string> {
  const encrypter = new Encrypter();
  for (const recipient of recipients) encrypter.addRecipient(recipient);
  return armor.encode(await encrypter.encrypt(text));
}

/**
 * The text of an export.
 *
 * @throws Failure when none of the private keys opens it, or it is damaged
 */
export async function decrypted(file: string, identities: readonly string[]): Promise<string> {
  const decrypter = new Decrypter();
  for (const identity of identities) decrypter.addIdentity(identity);
  try {
    return await decrypter.decrypt(armor.decode(file), "text");
  } catch {
    throw new Failure(
      "the export cannot be decrypted: it is damaged, or for another recipient than --identity",
      "name the private key of one of its recipients; nothing was changed",
    );
  }
}
