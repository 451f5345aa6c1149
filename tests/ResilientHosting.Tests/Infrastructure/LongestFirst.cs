using ResilientHosting.Tests.Infrastructure;
using ResilientHosting.Tests.Reloading;
using ResilientHosting.Tests.Reloading.Hosts;
using ResilientHosting.Tests.Reloading.Templates;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace ResilientHosting.Tests.Infrastructure;

/// <summary>Starts the collections that take minutes first, so that the short ones fill the time beside them.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long =
        [nameof(LifetimeProcesses), nameof(ReloaderProcesses), nameof(BrowserProcesses), nameof(SdkTemplates), nameof(HostApps)];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => (uint)Array.IndexOf(Long, collection.TestCollectionDisplayName))];
}
