/** A version of Debian in its three parts. */
interface Parts {
  readonly epoch: number;
  readonly upstream: string;
  readonly revision: string;
}

/**
 * Compares two versions as dpkg does (deb-version(7)).
 *
 * @returns negative if the first one is older, 0 if they are equal, positive if it is newer
 */
export function compareDebianVersions(one: string, other: string): number {
  const [first, second] = [partsOf(one), partsOf(other)];
  return (
    first.epoch - second.epoch ||
    compareParts(first.upstream, second.upstream) ||
    compareParts(first.revision, second.revision)
  );
}

function partsOf(version: string): Parts {
  const [, epoch = "0", rest = ""] = /^(?:(\d+):)?(.*)$/.exec(version.trim()) ?? [];
  const dash = rest.lastIndexOf("-");
  return {
    epoch: Number(epoch),
    upstream: dash === -1 ? rest : rest.slice(0, dash),
    revision: dash === -1 ? "" : rest.slice(dash + 1),
  };
}

/** By turns the longest part without digits, and the number after it. */
function compareParts(one: string, other: string): number {
  let [left, right] = [one, other];
  while (left !== "" || right !== "") {
    const [, leftText = "", leftNumber = "", leftRest = ""] = /^(\D*)(\d*)(.*)$/s.exec(left) ?? [];
    const [, rightText = "", rightNumber = "", rightRest = ""] = /^(\D*)(\d*)(.*)$/s.exec(right) ?? [];
    const difference = compareTexts(leftText, rightText) || compareNumbers(leftNumber, rightNumber);
    if (difference !== 0) return difference;
    [left, right] = [leftRest, rightRest];
  }
  return 0;
}

function compareTexts(one: string, other: string): number {
  for (let index = 0; index < Math.max(one.length, other.length); index += 1) {
    const difference = rankOf(one[index]) - rankOf(other[index]);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** A tilde is before the end, which is before letters, which are before everything else. */
function rankOf(character: string | undefined): number {
  if (character === "~") return -1;
  if (character === undefined) return 0;
  const code = character.charCodeAt(0);
  return /[A-Za-z]/.test(character) ? code : code + 256;
}

/** Of any length, as dates and commit counts are. */
function compareNumbers(one: string, other: string): number {
  const [left, right] = [one.replace(/^0+/, ""), other.replace(/^0+/, "")];
  return left.length - right.length || (left < right ? -1 : left > right ? 1 : 0);
}
