namespace ResilientHosting.Tests.Reloading;

/// <summary>Where the pictures of the documentation are drawn: the folder that DOC_IMAGES names (docs/images to renew them), or beside the tests.</summary>
internal static class DocumentationImages
{
    public static string PathOf(string name)
    {
        var folder = Environment.GetEnvironmentVariable("DOC_IMAGES") is { Length: > 0 } named ? named : Path.Combine(AppContext.BaseDirectory, "Images");
        return Path.Combine(Directory.CreateDirectory(folder).FullName, name);
    }
}
