using Microsoft.Extensions.FileProviders;
using Microsoft.Extensions.Primitives;

namespace ResilientHosting.Reloading;

/// <summary>
/// The web root of a generation. Nobody disposes of one, and the thread that watches it inherits the context of the request which first
/// asked for that: with the request's logging scope, and the action in it, it would keep the generation in memory for ever.
/// </summary>
internal sealed class DetachedFileProvider(IFileProvider files) : IFileProvider
{
    public IFileInfo GetFileInfo(string subpath) => files.GetFileInfo(subpath);

    public IDirectoryContents GetDirectoryContents(string subpath) => files.GetDirectoryContents(subpath);

    public IChangeToken Watch(string filter)
    {
        using AsyncFlowControl? restore = ExecutionContext.IsFlowSuppressed() ? null : ExecutionContext.SuppressFlow();
        return files.Watch(filter);
    }
}
