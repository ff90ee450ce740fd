/** Mail that other balancers send when something is up or down, as receivers of events. */
import { formatMailServer } from "../configuration/mail-place.ts";
import type { FileContent } from "../configuration/schema.ts";
import type { Mail, VirtualServer } from "./model.ts";
import { endpointId, serviceIdOf } from "./notify-ids.ts";

type Receiver = NonNullable<FileContent["notify"]>[number];

const OF_SERVERS = ["destination-up", "destination-down"];
const OF_SERVICES = ["quorum-gained", "quorum-lost"];

/** What one virtual server has told, and to whom. */
interface Telling {
  readonly service: string;
  readonly mail: Mail;
  readonly atEnd: boolean;
  readonly events: readonly string[];
  /** Undefined: all of its servers. */
  readonly destinations: readonly string[] | undefined;
}

/** As few receivers as can be. */
export function mailContent(servers: readonly VirtualServer[]): Receiver[] {
  const tellings = servers.flatMap(tellingsOf);
  // Those that are alike but for their service, which then are one.
  const alike = Map.groupBy(tellings, ({ service, ...rest }) =>
    JSON.stringify(rest.destinations === undefined ? rest : { service, ...rest }),
  );
  // Each has a service of its own alone: then what is about any is about one of them.
  const isPlain = servers.every(({ keys }) => keys.length === 1);
  return [...alike.values()].map((group) => {
    const { mail, events, destinations, atEnd } = group[0]!;
    const isAll = isPlain && destinations === undefined && group.length === servers.length;
    return {
      mail: fieldsOf(mail),
      ...(isAll ? {} : { service: oneOrAll(group.map(({ service }) => service)) }),
      ...(destinations === undefined ? {} : { destination: oneOrAll(destinations) }),
      events: [...events],
      ...(atEnd ? { atEnd } : {}),
      ...(mail.timeoutSeconds === undefined ? {} : { timeout: mail.timeoutSeconds }),
    };
  });
}

function tellingsOf(server: VirtualServer): Telling[] {
  const { mail, realServers, isToldAtEnd: atEnd = false } = server;
  const [key] = server.keys;
  if (mail === undefined || key === undefined) return [];
  const service = serviceIdOf(key, server.protocol);
  const telling = realServers.filter((each) => each.isMailed === true);
  const isAll = telling.length === realServers.length;
  const port = key.kind === "endpoint" ? key.port : 0;
  const common = { service, mail, atEnd };
  // Both of them, of all: one receiver.
  const ofService = server.isMailed === true ? OF_SERVICES : [];
  if (isAll) return [{ ...common, events: [...OF_SERVERS, ...ofService], destinations: undefined }];
  return [
    ...(telling.length === 0
      ? []
      : [
          {
            ...common,
            events: OF_SERVERS,
            destinations: telling.map((each) => endpointId(each.address, each.port ?? port)),
          },
        ]),
    ...(ofService.length === 0 ? [] : [{ ...common, events: ofService, destinations: undefined }]),
  ];
}

function fieldsOf({ to, from, server, name, helo }: Mail): NonNullable<Receiver["mail"]> {
  return {
    to: oneOrAll(to),
    ...(from === undefined ? {} : { from }),
    server: formatMailServer(server),
    name,
    ...(helo === undefined ? {} : { helo }),
  };
}

function oneOrAll(texts: readonly string[]): string | string[] {
  return texts.length === 1 ? texts[0]! : [...texts];
}
