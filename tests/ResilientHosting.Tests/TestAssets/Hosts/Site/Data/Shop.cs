using Microsoft.EntityFrameworkCore;

namespace Site.Data;

public sealed class Shop(DbContextOptions<Shop> options) : DbContext(options)
{
    public DbSet<Article> Articles => Set<Article>();
}

public sealed class Article
{
    public int Id { get; set; }

    public required string Name { get; set; }
}

internal static class ArticleEndpoints
{
    public static void MapArticles(this WebApplication app) => app.MapGet("/articles", async (Shop shop) =>
    {
        await shop.Database.EnsureCreatedAsync();
        shop.Articles.Add(new Article { Name = "article: v1" });
        await shop.SaveChangesAsync();
        return await shop.Articles.OrderBy(article => article.Id).Select(article => article.Name).LastAsync();
    });
}
