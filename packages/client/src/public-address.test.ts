import { BlockList, isIPv6 } from "node:net";
import { describe, expect, test } from "vitest";
import { addressIn, isLocalName, isPublicAddress } from "./public-address.js";

describe("an address that is not on the public internet is recognised", () => {
  test.each([
    ["this machine", "127.0.0.1", "127.255.255.254", "0.0.0.0", "::1", "::", "0:0:0:0:0:0:0:1"],
    ["a private network", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "fc00::1", "fd00:ec2::254"],
    ["link-local, with the metadata of clouds", "169.254.169.254", "fe80::1", "fe80::1%eth0", "febf::1", "fec0::1"],
    ["shared by a provider", "100.64.0.1", "100.100.100.200", "100.127.255.255"],
    ["multicast and broadcast", "224.0.0.1", "239.255.255.255", "255.255.255.255", "ff02::1"],
    ["reserved, for tests or for documentation", "192.0.2.1", "198.18.0.1", "203.0.113.7", "240.0.0.1", "2001:db8::1"],
    ["a cloud's own, though public", "168.63.129.16"],
    ["IPv4 in IPv6", "::ffff:127.0.0.1", "::ffff:a9fe:a9fe", "::127.0.0.1", "::ffff:0:10.0.0.1"],
    ["behind NAT64", "64:ff9b::10.0.0.1", "64:ff9b::a9fe:a9fe", "64:ff9b:1::1"],
    ["through a tunnel", "2002:7f00:1::", "2002:c0a8:101::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"],
    ["no address at all", "", "localhost", "1.2.3", ":::", "12345::"],
  ])("%s", (_, ...addresses) => {
    expect(addresses.filter(isPublicAddress)).toEqual([]);
  });

  test("public ones are not mistaken for them", () => {
    const addresses = [
      "8.8.8.8",
      "100.63.255.255",
      "100.128.0.0",
      "172.15.255.255",
      "172.32.0.0",
      "223.255.255.255",
      "2606:4700::1111",
      "2400:3200::1",
      "::ffff:8.8.8.8",
      "64:ff9b::8.8.8.8",
      "2002:808:808::",
    ];
    expect(addresses.filter((address) => !isPublicAddress(address))).toEqual([]);
  });

  test("the ranges are read as Node.js reads them", () => {
    const list = new BlockList();
    list.addSubnet("2001:db8::", 32, "ipv6");
    for (const [network, length] of [
      ["10.0.0.0", 8],
      ["100.64.0.0", 10],
      ["172.16.0.0", 12],
      ["198.18.0.0", 15],
      ["192.168.0.0", 16],
    ] as const)
      list.addSubnet(network, length);
    // Around the ends of each range. What lies outside of 2000::/3 is closed anyway.
    const near = ["9.255.255.255", "11.0.0.0", "100.63.9.9", "100.64.0.0", "172.32.0.1", "198.17.1.1", "198.20.0.0"];
    const near6 = ["2001:db7::1", "2001:db8:ffff::1", "2001:db9::1"];
    const all = [...near, ...near6];
    const open = all.filter((address) => !list.check(address, isIPv6(address) ? "ipv6" : "ipv4"));
    expect(all.filter(isPublicAddress)).toEqual(open);
  });
});

test("every spelling of an address in a link is seen", () => {
  const links = [
    "http://2130706433/",
    "http://0x7f.1/",
    "http://0177.0.0.1/",
    "http://127.1/",
    "http://[::ffff:7f00:1]/",
  ];
  for (const link of links) {
    const address = addressIn(new URL(link));
    expect([link, address === undefined || isPublicAddress(address)]).toEqual([link, false]);
  }
  expect(addressIn(new URL("http://files.siliconflow.test/"))).toBeUndefined();
});

test("names of the local network are seen without asking a resolver", () => {
  const local = ["localhost", "LOCALHOST.", "a.localhost", "printer.local", "metadata.google.internal", "redis"];
  expect(local.filter((name) => !isLocalName(name))).toEqual([]);
  expect(isLocalName("files.siliconflow.cn")).toBe(false);
});
