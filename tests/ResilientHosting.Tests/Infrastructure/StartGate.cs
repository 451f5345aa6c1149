using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>Holds a program at a statement, for as long as a test needs: the program connects here and waits to be let through.</summary>
public sealed class StartGate : IDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);

    public StartGate() => _listener.Start();

    /// <summary>Gets the statement that makes a program wait at this gate.</summary>
    public string Statement => string.Create(
        CultureInfo.InvariantCulture, $"new System.Net.Sockets.TcpClient(\"127.0.0.1\", {Port}).GetStream().ReadByte();");

    /// <summary>Gets the target that makes a build wait at this gate, in a process which the build starts.</summary>
    public string Target => string.Create(
        CultureInfo.InvariantCulture,
        $"<Target Name=\"Wait\" BeforeTargets=\"CoreCompile\"><Exec Command=\"bash -c 'exec cat &lt;/dev/tcp/127.0.0.1/{Port}'\" /></Target>");

    private int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Completes when a program waits at the gate. Disposing of the result lets it through.</summary>
    public Task<TcpClient> ReachedAsync() => _listener.AcceptTcpClientAsync().WaitAsync(ConsoleLines.Timeout);

    /// <summary>Waits until the program that waits at the gate is gone.</summary>
    public static async Task LeftAsync(TcpClient waiting, TimeSpan within)
    {
        try
        {
            Assert.Equal(0, await waiting.GetStream().ReadAsync(new byte[1]).AsTask().WaitAsync(within));
        }
        catch (IOException)
        {
            // It went without a word.
        }
    }

    public void Dispose() => _listener.Dispose();
}
