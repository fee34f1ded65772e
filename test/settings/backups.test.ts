import assert from "node:assert/strict";
import { chartRefusal, chartSettings } from "../components/samples";
import type { Values } from "../harness";

const S3 = { type: "s3", bucket: "backups", credentials: { workloadIdentity: {} } };
const backup = (changes: Values) => chartRefusal({}, { backup: { store: S3, ...changes } });
const s3 = (changes: Values) => backup({ store: { ...S3, ...changes } });

describe("settings of backups", () => {
  it("have defaults that are right for production", () => {
    const { cluster } = chartSettings({}, { backup: { store: S3 } });
    assert.equal(cluster.generation, 1);
    assert.equal(cluster.backup?.retentionDays, 30);
    assert.equal(cluster.backup.archiveTimeoutSeconds, 300);
    assert.equal(cluster.backup.schedule, "0 2 * * *");
    assert.match(cluster.backup.plugin.image, /:v0\.14\.0$/);
  });

  const refused: Readonly<Record<string, readonly [message: string, pattern: RegExp]>> = {
    "six fields": [
      backup({ schedule: "0 0 2 * * *" }),
      /backup\.schedule.*must be a cron expression of five/,
    ],
    "less than a week": [backup({ retentionDays: 6 }), /retentionDays.*must be an integer from 7 to 365/],
    "an hour without archive": [
      backup({ archiveTimeoutSeconds: 3600 }),
      /archiveTimeoutSeconds.*must be an integer from 60 to 900/,
    ],
    "no credentials": [
      s3({ credentials: {} }),
      /store\.credentials.*needs exactly one of accessKeyId, secret, workloadIdentity; set one/,
    ],
    "two ways to log in": [
      s3({ credentials: { workloadIdentity: {}, secret: { name: "x" } } }),
      /exactly one of .*remove the others/,
    ],
    "a region that nobody would hear of": [s3({ region: "eu-west-1" }), /store\.region.*regionKey/],
    "authorities of no server": [s3({ caSecret: { name: "ca" } }), /caSecret.*set endpoint/],
    "a store in the clear": [s3({ endpoint: "http://s3.example.com" }), /store\.endpoint.*must be .*https/],
    "encryption of another store": [
      backup({
        store: { type: "gcs", bucket: "backups", credentials: { workloadIdentity: {} } },
        encryption: "aws:kms",
      }),
      /encryption.*set bucket/,
    ],
    "a second archive_timeout": [
      chartRefusal({}, { backup: { store: S3 }, parameters: { archive_timeout: "60" } }),
      /archive_timeout.*archiveTimeoutSeconds/,
    ],
    "another plugin": [
      chartRefusal({}, { backup: { store: S3 }, clusterSpec: { plugins: [] } }),
      /clusterSpec\.plugins.*postgres\.backup/,
    ],
    "a plugin beside nobody's operator": [
      chartRefusal({}, { backup: { store: S3 }, operator: { install: false } }),
      /backup\.plugin\.install.*set this to false/,
    ],
    "a generation of nothing": [
      chartRefusal({}, { generation: 2 }),
      /postgres\.generation.*restore\.fromGeneration[^]*postgres\.backup/,
    ],
    "a restore of the first": [
      chartRefusal({}, { backup: { store: S3 }, restore: { fromGeneration: 1 } }),
      /postgres\.restore.*set postgres\.generation/,
    ],
    "a restore of itself": [
      chartRefusal({}, { backup: { store: S3 }, generation: 2, restore: { fromGeneration: 2 } }),
      /fromGeneration.*an earlier generation than 2/,
    ],
    "a time without zone": [
      chartRefusal(
        {},
        {
          backup: { store: S3 },
          generation: 2,
          restore: { fromGeneration: 1, targetTime: "2026-11-28 10:15" },
        },
      ),
      /targetTime.*must be a time with its zone/,
    ],
    "a generation that is not kept": [
      chartRefusal(
        {},
        {
          backup: { store: S3 },
          generation: 2,
          serving: 1,
          restore: { fromGeneration: 1, keepFormer: false },
        },
      ),
      /postgres\.serving.*must be 2/,
    ],
  };
  for (const [title, [message, pattern]] of Object.entries(refused)) {
    it(`refuse ${title}`, () => {
      assert.match(message, pattern);
    });
  }
});
