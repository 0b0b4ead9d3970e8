/** What the rules of one bridge are about. */
export interface BridgeRules {
  /** nftables table, ours alone. */
  readonly table: string;
  readonly interfaceName: string;
  /** `A.B.C.D/N` */
  readonly subnet: string;
}

/**
 * The nftables script that makes the rules, in one transaction, whatever was there before.
 *
 * Containers reach out under the host's address; others reach them only in answer, or by a published port: Docker's
 * rules for its default bridge. Source: moby libnetwork/drivers/bridge/setup_ip_tables_linux.go.
 */
export function rulesScript(rules: BridgeRules): string {
  return `table ip ${rules.table}
delete table ip ${rules.table}
table ip ${rules.table} {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr ${rules.subnet} oifname != "${rules.interfaceName}" masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    oifname "${rules.interfaceName}" ct state established,related accept
    oifname "${rules.interfaceName}" ct status dnat accept
    iifname "${rules.interfaceName}" accept
    oifname "${rules.interfaceName}" drop
  }
}
`;
}

/** The script that removes them; nothing there is no error. */
export function removeRulesScript(rules: BridgeRules): string {
  return `table ip ${rules.table}\ndelete table ip ${rules.table}\n`;
}

/**
 * Rules for a host whose own FORWARD chain drops by default, as Docker's installation or a firewall leaves it: what our
 * own table accepts would still be dropped there. Each is the part of an iptables command after `-I FORWARD`.
 */
export function forwardExceptions(rules: BridgeRules): readonly (readonly string[])[] {
  const comment = ['-m', 'comment', '--comment', rules.table];
  const answers = ['-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED'];
  return [
    ['-i', rules.interfaceName, ...comment, '-j', 'ACCEPT'],
    ['-o', rules.interfaceName, ...answers, ...comment, '-j', 'ACCEPT'],
  ];
}

/** Whether `iptables -S FORWARD` says that packets are dropped unless a rule accepts them. */
export function dropsForwarded(listing: string): boolean {
  return /^-P FORWARD (DROP|REJECT)$/m.test(listing);
}
