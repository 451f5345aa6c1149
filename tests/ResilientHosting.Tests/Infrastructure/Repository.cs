namespace ResilientHosting.Tests.Infrastructure;

/// <summary>The working copy that the tests were built in.</summary>
internal static class Repository
{
    public static string PathOf(params ReadOnlySpan<string> path)
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ResilientHosting.sln")))
            {
                return Path.Combine([folder.FullName, .. path]);
            }
        }

        throw new DirectoryNotFoundException($"No folder above {AppContext.BaseDirectory} has ResilientHosting.sln.");
    }
}
