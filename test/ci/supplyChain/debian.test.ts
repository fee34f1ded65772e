import assert from "node:assert/strict";
import { compareDebianVersions } from "../../../ci/supplyChain/debianVersion";
import { parseDpkgRecords } from "../../../ci/supplyChain/dpkg";

/** Each older than the next one; dpkg --compare-versions says so, too. */
const ASCENDING = [
  ["1.0~~", "1.0~~a", "1.0~", "1.0", "1.0-1~deb13u1", "1.0-1", "1.0-1+deb13u1", "1.0a", "1.0+b1", "1.0.1"],
  ["2.41-9", "2.41-12", "2.41-12+deb13u1", "2.41-12+deb13u2", "2.41-100"],
  ["3.5.1-1", "3.5.1-1+deb13u1", "3.5.4-1~deb13u1", "3.5.4-1", "1:1.0-1", "2:0~1"],
  ["20240101", "20250419", "99999999999999999998", "99999999999999999999"],
];
const EQUAL = [
  ["1.0", "0:1.0"],
  ["1.001", "1.1"],
  ["1.0-0", "1.0-00"],
  ["1.0", "1.0-0"],
] as const;

describe("versions of Debian", () => {
  it("are ordered as dpkg orders them", () => {
    for (const versions of ASCENDING) {
      versions.forEach((older, index) => {
        for (const newer of versions.slice(index + 1)) {
          assert.ok(compareDebianVersions(older, newer) < 0, `${older} < ${newer}`);
          assert.ok(compareDebianVersions(newer, older) > 0, `${newer} > ${older}`);
        }
      });
    }
    for (const [one, other] of EQUAL) assert.equal(compareDebianVersions(one, other), 0, `${one} = ${other}`);
  });
});

describe("records of dpkg", () => {
  it("name the source of a package, which may have a version of its own", () => {
    const text = [
      "Package: libgcc-s1\nStatus: install ok installed\nVersion: 14.2.0-19\nArchitecture: amd64",
      "Source: gcc-14 (14.2.0-19+b1)\nDescription: GCC support library\n Package: not a field\n .\n text",
      "\nPackage: libc6\nVersion: 2.41-12\nArchitecture: amd64\nSource: glibc\nMaintainer: GNU Libc Maintainers",
      "\nPackage: gone\nStatus: deinstall ok config-files\nVersion: 1",
      "\nPackage: tzdata\nVersion: 2025b-4\nArchitecture: all\n",
    ].join("\n");
    assert.deepEqual(
      parseDpkgRecords(text).map(({ name, version, source }) => [name, version, source.name, source.version]),
      [
        ["libgcc-s1", "14.2.0-19", "gcc-14", "14.2.0-19+b1"],
        ["libc6", "2.41-12", "glibc", "2.41-12"],
        ["tzdata", "2025b-4", "tzdata", "2025b-4"],
      ],
    );
  });
});
