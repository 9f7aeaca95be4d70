using System.Net;
using System.Net.Sockets;

namespace Seq2Seq.Jobs.Webhooks;

/// <summary>
/// Which addresses are public, by IANA's registries of special-purpose addresses (RFC 6890 and its updates). What is not is
/// somebody's own network: this machine, its neighbours, a cloud's metadata service.
/// </summary>
internal static class PublicAddress
{
    private static readonly IPNetwork[] _special4 =
    [
        .. new[]
        {
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",
            "127.0.0.0/8",
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
        }.Select(IPNetwork.Parse),
    ];

    // Of the whole space only this part is given out to the public network; from it, what stands for something else.
    private static readonly IPNetwork _global6 = IPNetwork.Parse("2000::/3");

    private static readonly IPNetwork[] _special6 =
    [
        .. new[]
        {
            "2001::/23", // protocol assignments, Teredo among them
            "2001:db8::/32", // documentation
            "2002::/16", // 6to4: holds an address of the other kind
            "3fff::/20", // documentation
        }.Select(IPNetwork.Parse),
    ];

    public static bool IsPublic(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6)
        {
            address = address.MapToIPv4();
        }

        return address.AddressFamily switch
        {
            AddressFamily.InterNetwork => !Array.Exists(_special4, network => network.Contains(address)),
            AddressFamily.InterNetworkV6 => _global6.Contains(address)
                && !Array.Exists(_special6, network => network.Contains(address)),
            _ => false,
        };
    }
}
