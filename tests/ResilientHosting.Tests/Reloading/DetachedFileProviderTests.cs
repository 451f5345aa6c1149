using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;
using ResilientHosting.Reloading;
using ResilientHosting.Tests.Infrastructure;

namespace ResilientHosting.Tests.Reloading;

public sealed class DetachedFileProviderTests
{
    private static readonly AsyncLocal<string?> OfTheRequest = new();

    private readonly WatchingFiles _files = new();

    [Fact]
    public async Task Watch_StartsAThread_ThatKnowsNothingOfTheRequest()
    {
        OfTheRequest.Value = "request";

        new DetachedFileProvider(_files).Watch("*.css");

        Assert.False(ExecutionContext.IsFlowSuppressed());
        Assert.Equal("request", OfTheRequest.Value);
        Assert.Null(await _files.SeenAsync());
    }

    [Fact]
    public async Task Watch_WhereNothingFlowsAnyway_LeavesItAtThat()
    {
        using (ExecutionContext.SuppressFlow())
        {
            new DetachedFileProvider(_files).Watch("*.css");
            Assert.True(ExecutionContext.IsFlowSuppressed());
        }

        Assert.Null(await _files.SeenAsync());
    }

    /// <summary>Watches as physical files do: on a thread that is started for the first who asks.</summary>
    private sealed class WatchingFiles : IFileProvider
    {
        private readonly TaskCompletionSource<string?> _seen = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string?> SeenAsync() => _seen.Task.WaitAsync(KestrelTestHost.Timeout, TestContext.Current.CancellationToken);

        public IFileInfo GetFileInfo(string subpath) => new NotFoundFileInfo(subpath);

        public IDirectoryContents GetDirectoryContents(string subpath) => NotFoundDirectoryContents.Singleton;

        public IChangeToken Watch(string filter)
        {
            new Thread(() => _seen.SetResult(OfTheRequest.Value)).Start();
            return NullChangeToken.Singleton;
        }
    }
}
