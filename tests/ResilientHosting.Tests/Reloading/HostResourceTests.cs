using System.Globalization;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

/// <summary>
/// The story this library began with: a database object, one for the whole program, with a thread and a socket of its own. Every reload
/// made a second one while the first was still alive, and the two fought over the socket.
/// </summary>
[Collection(nameof(ReloaderProcesses))]
public sealed class HostResourceTests(ReloadableProject project, SharedApp shared) : IClassFixture<SharedApp>, IAsyncLifetime
{
    private const string Database = """
        using System.Net;
        using System.Net.Sockets;

        /// <summary>Owns a port and a thread. A second one cannot be opened while the first is alive.</summary>
        internal sealed class Database
        {
            private readonly TcpListener _listener;
            private readonly Thread _thread;
            private int _asked;

            public Database(int port)
            {
                _listener = new TcpListener(IPAddress.Loopback, port);
                _listener.Server.ExclusiveAddressUse = true;
                _listener.Start();
                _thread = new Thread(Serve) { IsBackground = true };
                _thread.Start();
                Console.WriteLine("database: opened");
            }

            public int Ask() => Interlocked.Increment(ref _asked);

            public void Close()
            {
                _listener.Stop();
                _thread.Join();
                Console.WriteLine("database: closed");
            }

            private void Serve()
            {
                try
                {
                    while (true)
                    {
                        _listener.AcceptTcpClient().Dispose();
                    }
                }
                catch (SocketException)
                {
                    // Closed.
                }
            }
        }
        """;

    private ReloadableApp App => shared.App;

    public async ValueTask InitializeAsync() => await App.ResetAsync(project);

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Theory]
    [InlineData(".SharedPerHost()")]
    [InlineData(".UsePool(pool => pool.MaxSize = 1)")]
    // An object pool has no bound: only an object that is back before the answer is sent is there for the next request.
    [InlineData(".UseObjectPool().ReleaseAfterHandler()")]
    public async Task ObjectWithAThreadAndASocket_AcrossReloads_NeverLivesTwice(string strategy)
    {
        var port = ServerProgram.FreePort();
        var mark = App.Console.Count;
        await App.PostAsync("/reloader/pause");
        project.Write("Database.cs", Database);
        project.Replace("Program.cs", "var app = ", string.Create(CultureInfo.InvariantCulture, $$"""
            builder.Services.AddRequestScopedResource<Database>(
                (_, _) => new ValueTask<Database>(new Database({{port}})),
                (database, _) =>
                {
                    database.Close();
                    return ValueTask.CompletedTask;
                }){{strategy}};

            var app =
            """) + " ");
        project.Replace(
            "Program.cs",
            "app.MapGet(\"/pid\"",
            "app.MapGet(\"/database\", (ResilientHosting.Resources.Resource<Database> database) => database.Value.Ask());\napp.MapGet(\"/pid\"");
        await App.PostAsync("/reloader/resume");
        await App.Console.WaitForAsync("-> generation ", mark);

        var greeting = "original";
        for (var reload = 1; reload <= 2; reload++)
        {
            Assert.Equal("1", await App.GetAsync("/database"));
            Assert.Equal("2", await App.GetAsync("/database"));
            await App.ReloadAsync(() => project.EditGreeting(greeting, greeting = $"reload {reload}"));
        }

        Assert.Equal("1", await App.GetAsync("/database"));
        var story = App.Console.Since(mark).Where(line => line.StartsWith("database: ", StringComparison.Ordinal));
        Assert.Equal(["opened", "closed", "opened", "closed", "opened"], story.Select(line => line["database: ".Length..]));
    }
}
