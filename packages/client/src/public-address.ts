/** Ranges of IPv4 that do not lie on the public internet, and one that does: Azure answers its machines there. */
const closed4 = [
  "0.0.0.0/8",
  "10.0.0.0/8",
  "100.64.0.0/10",
  "127.0.0.0/8",
  "168.63.129.16/32",
  "169.254.0.0/16",
  "172.16.0.0/12",
  "192.0.0.0/24",
  "192.0.2.0/24",
  "192.88.99.0/24",
  "192.168.0.0/16",
  "198.18.0.0/15",
  "198.51.100.0/24",
  "203.0.113.0/24",
  "224.0.0.0/3",
].map((range) => {
  const [network = "", length] = range.split("/");
  const size = 2 ** (32 - Number(length));
  const first = numberOf(network);
  return { first, last: first + size - 1 };
});

/**
 * Whether an address lies on the public internet: not private, loopback, link-local, shared (CGNAT), multicast, reserved or for
 * documentation, and no IPv6 spelling of such an IPv4 address.
 *
 * Written out, because the list of addresses in `node:net` is not to be had in every runtime.
 *
 * @param address - as resolvers and `URL` write it, an IPv6 address without brackets
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return isPublic4(numberOf(address));
  const groups = groupsOf(address);
  if (groups === undefined) return false;
  const [a, b, c, d, e, f, g, h] = groups as [number, number, number, number, number, number, number, number];
  const v4 = (high: number, low: number) => isPublic4(high * 65_536 + low);
  // What these name is an IPv4 address: mapped, translated by NAT64, tunnelled by 6to4.
  if (a === 0 && b === 0 && c === 0 && d === 0 && e === 0 && f === 0xffff) return v4(g, h);
  if (a === 0x64 && b === 0xff9b && c === 0 && d === 0 && e === 0 && f === 0) return v4(g, h);
  if (a === 0x2002) return v4(b, c);
  // Teredo, benchmarks, overlays; documentation.
  if (a === 0x2001 && (b < 0x200 || b === 0xdb8)) return false;
  if (a === 0x3fff && b < 0x1000) return false;
  // Global unicast. Everything else is local, multicast or reserved.
  return a >= 0x2000 && a < 0x4000;
}

/** The address in a URL's host, when it is one: without brackets. */
export function addressIn({ hostname }: URL): string | undefined {
  if (hostname.startsWith("[")) return hostname.slice(1, -1);
  // URL writes every spelling of an IPv4 address (octal, hexadecimal, one number) in this way.
  return isIPv4(hostname) ? hostname : undefined;
}

/** Names that mean this machine or the local network, wherever they are looked up. */
export function isLocalName(hostname: string): boolean {
  let end = hostname.length;
  while (hostname[end - 1] === ".") end -= 1;
  const name = hostname.slice(0, end).toLowerCase();
  return !name.includes(".") || /\.(localhost|local|internal|intranet|lan|home|home\.arpa)$/.test(name);
}

function isPublic4(address: number): boolean {
  return !closed4.some(({ first, last }) => address >= first && address <= last);
}

function isIPv4(text: string): boolean {
  return /^\d{1,3}(\.\d{1,3}){3}$/.test(text);
}

function numberOf(ipv4: string): number {
  return ipv4.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

/** Eight numbers, or nothing when it is no address. */
function groupsOf(address: string): number[] | undefined {
  let canonical: string;
  try {
    // A zone ("%eth0") belongs to link-local addresses only, and `URL` knows none.
    canonical = new URL(`http://[${address.split("%", 1)[0]}]`).hostname.slice(1, -1);
  } catch {
    return undefined;
  }
  const [head = "", tail] = canonical.split("::");
  const numbers = (text: string) => (text === "" ? [] : text.split(":").map((group) => Number.parseInt(group, 16)));
  const [left, right] = [numbers(head), numbers(tail ?? "")];
  return [...left, ...Array.from({ length: 8 - left.length - right.length }, () => 0), ...right];
}
