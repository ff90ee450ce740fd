/** What a sluice.yaml says of the daemon itself, which heeds it when it starts and is reloaded: where it listens, and whom it tells. */
import type { ConfigurationFile } from "./files.ts";
import { type ListenPlace, parseListenPlace } from "./listen-place.ts";
import { type NotifySettings, notifySettings } from "./notify.ts";

export interface DaemonSettings {
  readonly metrics: ListenPlace | undefined;
  readonly api: ApiSettings | undefined;
  /** Of all files. */
  readonly notify: readonly NotifySettings[];
}

export interface ApiSettings extends ListenPlace {
  /** PEM files: the certificate with those between it and its authority, and its key. */
  readonly certificate: string;
  readonly key: string;
  /** The file of those who may; undefined: the default one. */
  readonly tokens: string | undefined;
}

/** `settings`: each section's keys over all files. */
export function daemonSettings(
  settings: (section: "metrics" | "api") => Readonly<Record<string, number | string>>,
  files: readonly ConfigurationFile[],
): DaemonSettings {
  const { listen } = settings("metrics");
  const notify = files.flatMap(({ content }) => notifySettings(content.notify ?? []));
  return { metrics: placeIn(listen), api: apiIn(settings("api")), notify };
}

function apiIn(section: Readonly<Record<string, number | string>>): ApiSettings | undefined {
  const place = placeIn(section.listen);
  const { certificate, key, tokens } = section;
  if (place === undefined || certificate === undefined || key === undefined) return undefined;
  return {
    ...place,
    certificate: String(certificate),
    key: String(key),
    tokens: tokens === undefined ? undefined : String(tokens),
  };
}

function placeIn(listen: number | string | undefined): ListenPlace | undefined {
  return listen === undefined ? undefined : parseListenPlace(String(listen));
}
