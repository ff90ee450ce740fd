/** What `-v` prints. Scripts read it, so it names the ipvsadm whose behaviour this is. */
export const VERSION = "ipvsadm v1.31 2019/12/24 (compiled with popt and IPVS v1.2.1)\n";
