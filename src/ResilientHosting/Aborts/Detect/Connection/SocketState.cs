using System.Net.Sockets;

namespace ResilientHosting.Aborts;

/// <summary>What a connection's socket knows before anybody reads from it or writes to it.</summary>
internal static class SocketState
{
    // Linux: the first byte of struct tcp_info (tcp(7)) is the state of the connection.
    private const int IpProtoTcp = 6;
    private const int TcpInfo = 11;
    private const byte TcpClose = 7;

    /// <summary>
    /// Whether the kernel has given the connection up: reset by the client, or unreachable. Always <see langword="false"/> on
    /// other systems than Linux, and for a socket that this side has closed.
    /// </summary>
    public static bool IsReset(Socket socket)
    {
        if (!OperatingSystem.IsLinux())
        {
            return false;
        }

        try
        {
            Span<byte> state = stackalloc byte[1];
            return socket.GetRawSocketOption(IpProtoTcp, TcpInfo, state) > 0 && state[0] == TcpClose;
        }
        catch (Exception exception) when (exception is ObjectDisposedException or SocketException)
        {
            // The server may close its socket at any moment; a socket that is not TCP has no such option.
            return false;
        }
    }

    public static bool IsDisposed(Socket socket)
    {
        try
        {
            _ = socket.LocalEndPoint;
            return false;
        }
        catch (SocketException)
        {
            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }
}
